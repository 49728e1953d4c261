"""A declaration at the single window: risk that explains itself, screening, states and answers."""
