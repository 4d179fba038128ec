"""What can be seen from outside: log lines, counters, traces. The only door to their libraries; decides nothing."""
