"""The agent: langchain over each provider of models, imported in a thread once the bot is ready."""

import os

# A key in the environment would otherwise send every run, prompts included, to a third party.
os.environ["LANGSMITH_TRACING"] = "false"
