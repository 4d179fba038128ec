"""The command `llm-incident-manager`. Imports nothing until it is called, so that `--help` and completion are quick."""


def main() -> None:
    """Runs the command line and leaves with its exit code."""
    from llm_incident_manager.cli import program

    program.main()


if __name__ == "__main__":
    main()
