"""One lexer for everything that reads SQL text here: parser, splitter, gate and view substitution."""
