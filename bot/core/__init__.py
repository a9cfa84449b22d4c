"""The domain: nouns and decisions as pure functions of data and the moment that is passed in."""
