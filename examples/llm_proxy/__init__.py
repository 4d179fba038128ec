"""A small OpenAI-compatible proxy that is an Edge-Agent: it reports what it sees, and obeys directives.

    python -m examples.llm_proxy --config examples/llm_proxy/proxy.yaml

`watching` decides what is worth an event, `obeying` what directives change, `serving` forwards; the agent library does
everything between them and the manager.
"""
