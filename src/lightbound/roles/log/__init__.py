"""A log: takes what landmarks, operators and directories have said, and shows that it has one history."""
