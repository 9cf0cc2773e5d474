"""SQL text to commands and back: one lexer, one gate, one parser. Nothing here touches a disk, a network or a clock."""
