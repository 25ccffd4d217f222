"""Where the pieces of a flow run: in this process, or on the workers of a Dask cluster."""
