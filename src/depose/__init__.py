"""depose puts a language model under oath: evidence of model distillation, with honest statistics."""
