"""What providers tell of our mail: each is one file with a table of its words, and all say the same in `events`."""
