"""`make bench`: every benchmark, one line each."""

from benchmarks import comparing, importing

if __name__ == "__main__":
    comparing.run()
    importing.run()
