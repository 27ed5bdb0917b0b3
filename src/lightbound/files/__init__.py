"""CSV, Parquet and GeoJSON, read strictly and written whole or not at all."""
