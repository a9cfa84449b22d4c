"""The analyst's ranking: observations from the evidence, attribution over the service graph, and candidate causes."""
