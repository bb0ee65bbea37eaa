"""What is missing before anything is asked, and what is done and comes next."""
