"""Whether somebody else's implementation of CLP/1 says what ours says: vectors, and who puts them to whom."""
