"""Log archiving: one follower per tenant carries its engine's log to the archive destination.

Thinking files (`round`, `window`, `pace`, `pressure`) are pure; `follower` orders the effects.
"""
