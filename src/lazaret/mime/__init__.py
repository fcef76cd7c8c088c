"""Reading a message: raw octets to views, in linear time, never raising on bad mail."""
