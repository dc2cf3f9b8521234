"""The pages: Markdown, outputs and the template, with everything inside the file and nothing loaded from outside."""
