"""`caregraph serve`: an application behind an address, in one process or in several."""
