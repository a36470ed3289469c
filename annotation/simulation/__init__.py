"""People who do not exist go through the real code, so that a campaign can be tried before anybody is paid."""
