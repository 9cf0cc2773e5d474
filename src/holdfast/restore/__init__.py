"""The way back: what lies in destinations, which of it reaches a moment, and the engine directory made from it."""
