"""HTTP downloads that survive anything: in parts, continued after any end, validated, from several mirrors."""
