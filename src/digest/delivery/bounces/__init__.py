"""What comes back: returned mail, complaints and automatic answers, read from their bytes. Pure; nothing here raises.

bytes -> mime (parts) -> whose it is, as a signature proves (verp)
                      -> what it says: reports (RFC 3464, RFC 5965), else plain (what other systems write) -> returned
"""
