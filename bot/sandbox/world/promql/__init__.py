"""A small PromQL: parser and evaluator for the part of the language that dashboards, rules and bots use."""
