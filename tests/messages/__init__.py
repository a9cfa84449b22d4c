"""Messages over every fault of the sandbox: their contents, the words before Details, what no message may say."""
