"""Side by side with the tools people use today. Beside the package: nothing in it imports this."""
