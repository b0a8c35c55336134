"""`make bench`: every benchmark, one line each."""

from benchmarks import importing

if __name__ == "__main__":
    importing.run()
