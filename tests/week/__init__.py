"""A week's alerts replayed through the running bot, faster than they came: is each of them accounted for?"""
