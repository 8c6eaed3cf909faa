"""One simulated Windows server: kernel objects, configuration and processes. Imports none of the lab's other rooms."""
