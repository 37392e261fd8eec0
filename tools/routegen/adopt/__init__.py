"""Move an HTTP API that exists under the manifest, without replacing a route and without a request that finds none.

`adoption_plan` compares the API with the manifest and orders the changes, `state_files` reads an API from the state of
Pulumi or Terraform, and `declarations` writes what those tools need in order to take over the routes.
"""

from routegen.adopt.adoption_plan import AdoptionPlan, AdoptionStep, ExistingApi, make_plan
from routegen.adopt.declarations import NOTATIONS, write_declarations
from routegen.adopt.state_files import read_state_file

__all__ = [
    "NOTATIONS",
    "AdoptionPlan",
    "AdoptionStep",
    "ExistingApi",
    "make_plan",
    "read_state_file",
    "write_declarations",
]
