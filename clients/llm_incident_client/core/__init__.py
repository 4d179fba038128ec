"""What every call shares: channels, errors, retries, and the resumable event stream."""
