"""What knows a kind of credential, one module each."""
