"""Strengths beside what each annotator brings: a scale, a reliability, a taste."""
