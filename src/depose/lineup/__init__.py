"""The line-up: was the suspect trained on these very answers? An exact test that needs no control models.

Each prompt is a line-up: the answer that was delivered stands among fillers that the same reference drew for the same
prompt and that nobody received. A suspect that never learnt from the deliveries cannot tell them apart.

It stands below analysis, report and custody, which compute it again; the laboratory that trains students for it is in
`depose.lab`.
"""
