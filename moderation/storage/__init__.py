"""PostgreSQL: migrations, the pool, and the queries shared by the capabilities above."""
