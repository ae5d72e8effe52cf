"""Is my port right? Two models, one in each framework, brought to one small graph and compared."""
