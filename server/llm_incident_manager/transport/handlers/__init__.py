"""What each method does: translate, ask a use case, translate back. The same for every door."""
