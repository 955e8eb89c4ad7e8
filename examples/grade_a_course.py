"""Grade a course exactly, under a policy that is data, with every number explained."""

from lms_core.domain.documents import load
from lms_core.domain.grading.gradebook import GradeItem, grade_course
from lms_core.domain.grading.policy import GradingPolicy
from lms_core.domain.score import Score

HOMEWORK = {"key": "homework", "title": "Homework", "weight": 40, "drop_lowest": 1}
EXAM = {"key": "exam", "title": "Exam", "weight": 60}
ROOT = {"key": "course", "title": "Course", "aggregation": {"type": "weighted-mean"}}
POLICY = load(GradingPolicy, {"root": ROOT | {"categories": [HOMEWORK, EXAM]}})

WORK = [("h1", "homework", 10), ("h2", "homework", 20), ("final", "exam", 100)]
ITEMS = [
    GradeItem(key=key, title=key, category=category, possible=Score.of(0, of).possible)
    for key, category, of in WORK
]
SCORES = {"h1": Score.of(4, 10), "h2": Score.of(20, 20), "final": Score.of(75, 100)}

if __name__ == "__main__":
    grade = grade_course(POLICY, ITEMS, SCORES)
    print(f"{grade.share} of one")
    for category in grade.explanation.categories:
        for item in category.items:
            print(f"{item.key:6} {item.status:8} {item.weight} of the grade")
