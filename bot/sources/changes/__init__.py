"""Sources of changes, one plugin a file: each turns a vendor's body into changes of services."""
