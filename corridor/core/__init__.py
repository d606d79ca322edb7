"""Arrays in, arrays out: graphs, paths, queues, flows. No names, no files, no pandas."""
