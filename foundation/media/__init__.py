"""Files of images, sounds and films: what they are, by their content, and where they lie."""
