"""Which images to ask a label for, who answers, and what each answer is worth."""
