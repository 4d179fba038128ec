-- Nothing: this number belongs to another change, which replaces this file.
SELECT 1;
