"""One crossing at a time: its posts, queues, servers, shifts and inspected shares."""
