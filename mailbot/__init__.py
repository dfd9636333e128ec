"""mailbot: data-protection requests by e-mail, from the mailbox to the approved reply.

The product's own sentence is the order of the flows: poll, intake, prepare, decide, deliver, remind.
"""

__version__ = "0.1.0"
