"""Fine-tuning in full, by the last layer and by LoRA: what each gains, costs and forgets."""
