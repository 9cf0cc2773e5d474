"""What lies in destinations, read from nothing but the destinations: the one reading that every judgement rests on."""
