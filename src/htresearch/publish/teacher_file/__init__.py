"""The file of a teacher (一师一档) as a page and for print."""

from htresearch.publish.teacher_file.folder import TeacherFiles, report_archives

__all__ = ["TeacherFiles", "report_archives"]
