"""What a diff changes around the code: packages, images, credentials, variables, rules, and how requests reach a service."""
