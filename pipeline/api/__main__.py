"""`python -m efficientmixnet` is the command `efficientmixnet`."""

from efficientmixnet.pipeline.supervisor import main

if __name__ == "__main__":
    main()
