"""`make bench`: every benchmark, one line each."""

from benchmarks import comparing, desk, importing, rendering, sending, serving

if __name__ == "__main__":
    comparing.run()
    importing.run()
    rendering.run()
    desk.run()
    serving.run()
    sending.run()
