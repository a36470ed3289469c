"""How far annotators agree with each other, with known answers, and with themselves."""
