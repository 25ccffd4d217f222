"""The Prefect server of a workspace: started, guarded, noted, found again."""
